int grown_answer(void)
{
    return 42;
}
