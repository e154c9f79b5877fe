int older_project_answer(void)
{
    return 42;
}
