/* Uses whatever a loader prepares: another library, thread-local storage, zeroed memory,
 * relocations, a constructor. */
#include <string.h>

extern int dep_value(void);

static __thread int tls_data = 1;
static __thread char tls_zero[4096];
static char large[3 << 20];
static const char *const names[] = {"one", "two", "three"};
static int constructed;

__attribute__((constructor)) static void construct(void)
{
    constructed = 1;
}

int answer(void)
{
    large[sizeof large - 1] = 0;
    return dep_value() + tls_data + constructed + tls_zero[9] + large[1 << 20]
        + (int)strlen(names[constructed]) - 3;
}

#ifdef PROGRAM
int main(void)
{
    return answer() == 42 ? 0 : 1;
}
#endif
