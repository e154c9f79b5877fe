/* Stands for Android's C library when a library is linked. */
void *malloc(unsigned long size)
{
    return (void *)size;
}
