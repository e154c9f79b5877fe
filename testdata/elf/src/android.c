/* What the start files of the NDK put into each library: made for API level 24. */
__attribute__((section(".note.android.ident"), used, aligned(4))) static const struct {
    unsigned owner_size, size, type;
    char owner[8];
    unsigned level;
} ident = {8, 4, 1, "Android", 24};

extern void *malloc(unsigned long size);

void *room(void)
{
    return malloc(1);
}
