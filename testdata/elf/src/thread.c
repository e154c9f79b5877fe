/* Takes pthread_create, which moved into libc.so.6 with GLIBC_2.34; weakly gnu_get_libc_version. */
extern int pthread_create(void *thread, const void *attributes, void *(*run)(void *), void *argument);
extern const char *gnu_get_libc_version(void) __attribute__((weak));

static void *run(void *argument)
{
    return gnu_get_libc_version ? (void *)gnu_get_libc_version() : argument;
}

int thread_start(void *thread)
{
    return pthread_create(thread, 0, run, 0);
}
