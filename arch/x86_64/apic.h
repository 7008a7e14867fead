// Interrupt controllers: the local APIC of each CPU (x2APIC where there is one), the I/O APIC for the console's line, and
// the legacy controllers, masked for good.
#pragma once

#include "kernel/include/arch.h"

void x86_apic_init(void);     // boot CPU, once: finds and maps the controllers
void x86_apic_init_cpu(void); // each CPU, on itself
uint32_t x86_apic_id(void);   // this CPU's
bool x86_apic_is_x2(void);
bool x86_apic_reaches(uint32_t apic_id); // whether interrupts can be sent there
void x86_apic_end(void);                 // the interrupt in service is handled

void x86_apic_send(uint32_t apic_id, unsigned vector);
void x86_apic_send_nmi_others(void); // to all CPUs but this
void x86_apic_send_init(uint32_t apic_id);
void x86_apic_send_startup(uint32_t apic_id, paddr_t page);

void x86_apic_timer_set_deadline_mode(void); // this CPU's timer follows IA32_TSC_DEADLINE; else it counts down, once
void x86_apic_timer_start(uint32_t count);   // 0 stops
uint32_t x86_apic_timer_left(void);

void x86_apic_route_isa(unsigned irq, unsigned vector); // to the boot CPU
