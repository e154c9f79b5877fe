/* Stands for a static program of glibc that was not stripped: the note of glibc's start files, and a
   function of the name that looks names up in libraries. It is never run. */
__attribute__((section(".note.ABI-tag"), used, aligned(4))) static const struct {
    unsigned owner_size, size, type;
    char owner[4];
    unsigned system, release[3];
} tag = {4, 16, 1, "GNU", 0, {3, 2, 0}};

int getaddrinfo(const char *node, const char *service)
{
    return node != service;
}

void _start(void)
{
    for (;;) getaddrinfo("", 0);
}
