/* A library with symbol versions, so that whoever needs it names it twice. */
int dep_value(void)
{
    return 40;
}
