// What the sanitizers must know of programs that have many stacks: those of a machine that was switched off are left as
// they are, with whatever they pointed to.
const char *__asan_default_options(void);

const char *__asan_default_options(void) {
    return "detect_leaks=0:detect_stack_use_after_return=0:handle_segv=1:abort_on_error=0";
}
