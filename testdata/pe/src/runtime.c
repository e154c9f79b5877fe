/* Asks for Python, for both parts of the C runtime, and later for plain.dll. */
__declspec(dllimport) int Py_IsInitialized(void);
__declspec(dllimport) void _CxxThrowException(void);
__declspec(dllimport) void _Xbad_alloc(void);
extern unsigned long plain_length(const char *text);

__declspec(dllexport) unsigned long runtime(void)
{
    if (!Py_IsInitialized()) _CxxThrowException();
    else _Xbad_alloc();
    return plain_length("later");
}
