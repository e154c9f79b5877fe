const char *mid(void);
