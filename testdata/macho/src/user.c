/* Takes plain_length from libplain.dylib. */
extern unsigned long plain_length(const char *text);

unsigned long user_length(void)
{
    return plain_length("user");
}
