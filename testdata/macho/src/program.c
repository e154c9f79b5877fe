/* A program that takes plain_length from libplain.dylib; it is never run. */
extern unsigned long plain_length(const char *text);

int main(int count, char **words)
{
    return (int)plain_length(words[count - 1]);
}
