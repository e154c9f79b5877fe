/* Takes plain_length from libplain.so. */
extern unsigned long plain_length(const char *text, unsigned long size);

unsigned long user_length(void)
{
    return plain_length("user", 4);
}
