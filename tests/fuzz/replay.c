/* A fuzz target's main without a fuzzer: tries every file of the folders given, so that any build can replay a corpus. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A block of just its size, so that the sanitizer sees a read behind its end. */
static void try_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = -1;

    if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
        size = ftell(file);
    }
    uint8_t *data = size >= 0 ? malloc((size_t)size) : NULL;
    if (size < 0 || (data == NULL && size > 0) || fseek(file, 0, SEEK_SET) != 0 ||
        fread(data, 1, (size_t)size, file) != (size_t)size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    printf("%s\n", path); /* the last one is the one that it died of */
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
}

int main(int argc, char **argv)
{
    int tried = 0;

    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        const struct dirent *entry;

        if (folder == NULL) {
            perror(argv[i]);
            return 1;
        }
        while ((entry = readdir(folder)) != NULL) {
            if (entry->d_name[0] != '.') {
                char path[4096];

                snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
                try_file(path);
                tried++;
            }
        }
        closedir(folder);
    }
    printf("DONE: %d inputs\n", tried);
    return tried == 0;
}
