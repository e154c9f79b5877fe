int codec(void)
{
    return 0;
}
