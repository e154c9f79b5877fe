/* Exports plain_length, and SleepEx of Windows under the name plain_sleep. */
__declspec(dllexport) unsigned long plain_length(const char *text)
{
    unsigned long size = 0;
    while (text[size]) size++;
    return size;
}
