int hello_native_answer(void)
{
    return 42;
}
