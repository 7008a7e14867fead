// Whole-number arithmetic, as in $((…)).
#pragma once

#include "variables.h"

// Evaluate an expression of 64-bit signed numbers (decimal or 0x…), variables (an unset or empty one is 0) and
//     ( )  ! - + ~  * / %  + -  << >>  < <= > >=  == !=  &  ^  |  &&  ||  ?:
// Sums and products wrap around. Null and the value; or what is wrong with it: a sentence.
const char *arithmetic_evaluate(const char *text, const struct variable *variables, int64_t *value);
