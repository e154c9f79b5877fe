const char *low(void);
