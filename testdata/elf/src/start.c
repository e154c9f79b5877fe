/* A program without a C library; it is never run. */
void _start(void)
{
    for (;;) {}
}
