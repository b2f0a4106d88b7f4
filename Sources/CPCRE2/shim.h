// PCRE2 names its functions by code unit width through macros that Swift cannot import;
// fixing the width here makes the plain "_8" symbols visible.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
