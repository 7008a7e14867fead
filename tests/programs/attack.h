// What one port's attempts (ARCH/attack.c) give to the program that makes them (attack.c).
#pragma once

enum { ATTACK_PASSED = 3 }; // exit status of an attempt that the machine let pass

struct attempt {
    const char *name;
    void (*run)(void);
};
#define NAMED(function) {#function, function}

// Each ends its process by a fault; exits with 0. Neither returns.
extern const struct attempt attack_attempts[], attack_checks[];
extern const unsigned attack_attempt_count, attack_check_count;
