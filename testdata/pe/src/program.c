/* A program that takes plain_length from plain.dll; it is never run. */
__declspec(dllimport) unsigned long plain_length(const char *text);

int start(void)
{
    return (int)plain_length("program");
}
