#include "core/base/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void examples_of_the_standard_have_their_digests(void **state)
{
    static const char *const vectors[][2] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    char text[SHA256_HEX];

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        sha256_text(vectors[i][0], strlen(vectors[i][0]), text);
        assert_string_equal(text, vectors[i][1]);
    }
}

static void a_million_letters_in_uneven_pieces_have_their_digest(void **state)
{
    static char letters[1000];
    unsigned char digest[SHA256_BYTES];
    char text[SHA256_HEX];
    struct sha256 hash;
    size_t left = 1000000;

    (void)state;
    memset(letters, 'a', sizeof(letters));
    sha256_init(&hash);
    for (size_t piece = 0; left > 0; piece = (piece + 7) % 1000) {
        size_t size = piece < left ? piece : left;
        sha256_update(&hash, letters, size);
        left -= size;
    }
    sha256_final(&hash, digest);
    sha256_hex(digest, text);
    assert_string_equal(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void every_length_of_the_last_block_is_padded_alike_in_one_piece_and_byte_by_byte(void **state)
{
    unsigned char bytes[200], digest[SHA256_BYTES];
    char whole[SHA256_HEX], single[SHA256_HEX];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)(i * 37);
    }
    for (size_t size = 0; size <= sizeof(bytes); size++) {
        struct sha256 hash;

        sha256_text(bytes, size, whole);
        sha256_init(&hash);
        for (size_t i = 0; i < size; i++) {
            sha256_update(&hash, bytes + i, 1);
        }
        sha256_final(&hash, digest);
        sha256_hex(digest, single);
        assert_string_equal(whole, single);
    }
}

static void the_instructions_and_the_plain_way_compress_alike(void **state)
{
    enum { BLOCKS = 33 };
    unsigned char bytes[64 * BLOCKS + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)(i * i >> 3);
    }
    for (size_t count = 0; count <= BLOCKS; count++) {
        uint32_t best[8] = {1, 2, 3, 4, 5, 0x80000000, 7, 0xffffffff}, plain[8];

        memcpy(plain, best, sizeof(plain));
        sha256_compress(best, bytes + count % 2, count);
        sha256_compress_plain(plain, bytes + count % 2, count);
        assert_memory_equal(best, plain, sizeof(best));
    }
}

static void a_digest_goes_through_its_text_and_back(void **state)
{
    static const char *const refused[] = {
        "",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015add",
        "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        "ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a ",
    };
    unsigned char bytes[SHA256_BYTES], back[SHA256_BYTES];
    char text[SHA256_HEX], hex[SHA256_HEX];

    (void)state;
    sha256_bytes("abc", 3, bytes);
    sha256_text("abc", 3, text);
    sha256_hex(bytes, hex);
    assert_string_equal(hex, text);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(sha256_from_hex(text, back));
    assert_memory_equal(back, bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_false(sha256_from_hex(refused[i], back));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_standard_have_their_digests),
        cmocka_unit_test(a_million_letters_in_uneven_pieces_have_their_digest),
        cmocka_unit_test(every_length_of_the_last_block_is_padded_alike_in_one_piece_and_byte_by_byte),
        cmocka_unit_test(a_digest_goes_through_its_text_and_back),
        cmocka_unit_test(the_instructions_and_the_plain_way_compress_alike),
    };
    return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
