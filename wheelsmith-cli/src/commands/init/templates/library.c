int @MODULE@_answer(void)
{
    return 42;
}
