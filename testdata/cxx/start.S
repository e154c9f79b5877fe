// Preprocessed assembly without code, for every processor.
#if defined(__ELF__)
.section .note.GNU-stack,"",%progbits
#endif
