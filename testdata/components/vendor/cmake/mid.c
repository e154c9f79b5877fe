#include <low.h>
#include "mid.h"
const char *mid(void) { return low(); }
