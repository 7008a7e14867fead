// Interrupt vectors.
#pragma once

enum {
    X86_VECTOR_DEBUG = 1,
    X86_VECTOR_NMI = 2,
    X86_VECTOR_BREAKPOINT = 3,
    X86_VECTOR_NO_VECTOR_UNIT = 7,
    X86_VECTOR_DOUBLE_FAULT = 8,
    X86_VECTOR_PROTECTION = 13,
    X86_VECTOR_PAGE_FAULT = 14,
    X86_VECTOR_MACHINE_CHECK = 18,
    X86_VECTOR_EXCEPTIONS = 32, // below: the processor's own
    X86_VECTOR_LEGACY = 32,     // 16 of the legacy controllers, masked for good
    X86_VECTOR_CONSOLE = 48,
    X86_VECTOR_TIMER = 0xe0,
    X86_VECTOR_IPI = 0xf0, // in a priority class above all others: arch_cpu_rest lets nothing else in
    X86_VECTOR_SPURIOUS = 255,
};
