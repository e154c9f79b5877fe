/* Exports nothing, takes one symbol: a GNU hash table of this library counts no symbol. */
extern int puts(const char *text);

__attribute__((constructor)) static void quiet(void)
{
    puts("loaded");
}
