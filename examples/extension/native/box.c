/* The library beside the extension module. */
unsigned long box_volume(unsigned long width, unsigned long height, unsigned long depth)
{
    return width * height * depth;
}
