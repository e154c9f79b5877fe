/* An extension module, as far as its symbols go. Each option makes another one. */
#if defined(_WIN32)
#define EXPORTED __declspec(dllexport)
#define IMPORTED __declspec(dllimport)
#else
#define EXPORTED __attribute__((visibility("default")))
#define IMPORTED
#endif

IMPORTED void *PyLong_FromLong(long);           /* stable since 3.2 */
IMPORTED const char *PyUnicode_AsUTF8AndSize(void *, void *); /* stable since 3.10 */
IMPORTED void *PyObject_Vectorcall(void *);     /* stable since 3.12 */
IMPORTED void *_PyObject_GetDictPtr(void *);    /* never */
IMPORTED void *PyErr_SetFromWindowsErr(int);    /* stable, on Windows */
IMPORTED void _Py_DecRefShared(void *);         /* in free-threaded builds */
void *PyDemo_New(long);                         /* nothing of Python's */

static void *use(void) {
    void *object = PyLong_FromLong(1);
#ifdef NEWER
    PyUnicode_AsUTF8AndSize(object, 0);
    object = PyObject_Vectorcall(object);
#endif
#ifdef PRIVATE
    object = _PyObject_GetDictPtr(object);
#endif
#ifdef WINDOWS
    object = PyErr_SetFromWindowsErr(1);
#endif
#ifdef THREADS
    _Py_DecRefShared(object);
#endif
#ifdef HELPED
    object = PyDemo_New(2);
#endif
    return object;
}

#ifndef START
#define START PyInit_demo
#endif
EXPORTED void *START(void) {
    return use();
}

int DllMainCRTStartup(void *library, int reason, void *reserved) {
    return 1;
}
