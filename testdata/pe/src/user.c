/* Takes plain_length from plain.dll and a function of Windows. */
__declspec(dllimport) unsigned long plain_length(const char *text);
__declspec(dllimport) unsigned long __stdcall GetCurrentProcessId(void);

__declspec(dllexport) unsigned long user_length(void)
{
    return plain_length("user") + GetCurrentProcessId();
}
