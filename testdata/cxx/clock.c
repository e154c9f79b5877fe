long ticks(void) { return 42; }
