#include "low.h"

const char *low(void) { return NAME; }
