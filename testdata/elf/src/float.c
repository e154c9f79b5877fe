/* Takes its argument in whatever registers the ABI names. */
double twice(double number)
{
    return number + number;
}
