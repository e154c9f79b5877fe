/* Exports plain_length; takes strlen from the system. */
extern unsigned long strlen(const char *text);

unsigned long plain_length(const char *text)
{
    return strlen(text);
}
