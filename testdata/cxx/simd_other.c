int lanes(void) { return 4; }
