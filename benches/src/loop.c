/* The work of one process of OpenSSL's library, mail after mail: what a program in C would do.
 * loop sign|verify|path COUNT MAIL SIGNER KEY CHAIN ANCHOR: prints the CPU seconds of one mail. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

static void fail(const char *what)
{
    fprintf(stderr, "loop: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static BIO *file(const char *name)
{
    BIO *bio = BIO_new_file(name, "rb");
    if (bio == NULL)
        fail(name);
    return bio;
}

static char *mail;
static long length;

static void sign(X509 *signer, EVP_PKEY *key, STACK_OF(X509) *chain)
{
    BIO *in = BIO_new_mem_buf(mail, (int)length), *out = BIO_new(BIO_s_mem());
    CMS_ContentInfo *cms = CMS_sign(signer, key, chain, in, CMS_DETACHED | CMS_CRLFEOL | CMS_STREAM);
    if (cms == NULL || !SMIME_write_CMS(out, cms, in, CMS_DETACHED | CMS_CRLFEOL | CMS_STREAM))
        fail("sign");
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    BIO_free(out);
}

static void verify(X509_STORE *store)
{
    BIO *in = BIO_new_mem_buf(mail, (int)length), *out = BIO_new(BIO_s_mem()), *part = NULL;
    CMS_ContentInfo *cms = SMIME_read_CMS(in, &part);
    if (cms == NULL || CMS_verify(cms, NULL, store, part, out, 0) != 1)
        fail("verify");
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    BIO_free(out);
    BIO_free(part);
}

/* The path of the signer alone, without a mail. */
static void path(X509_STORE *store, X509 *signer, STACK_OF(X509) *chain)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (context == NULL || !X509_STORE_CTX_init(context, store, signer, chain))
        fail("path");
    X509_STORE_CTX_set_default(context, "smime_sign");
    if (X509_verify_cert(context) != 1)
        fail("path");
    X509_STORE_CTX_free(context);
}

int main(int count, char **arguments)
{
    if (count != 8)
        fail("usage");
    long rounds = atol(arguments[2]), done;
    BIO *bio = file(arguments[3]);
    mail = malloc(1 << 20);
    length = BIO_read(bio, mail, 1 << 20);
    X509 *signer = PEM_read_bio_X509(file(arguments[4]), NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(file(arguments[5]), NULL, NULL, NULL);
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509 *one;
    bio = file(arguments[6]);
    while ((one = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
        sk_X509_push(chain, one);
    ERR_clear_error();
    X509_STORE *store = X509_STORE_new();
    X509_STORE_add_cert(store, PEM_read_bio_X509(file(arguments[7]), NULL, NULL, NULL));
    clock_t start = clock();
    for (done = 0; done < rounds; done++) {
        if (strcmp(arguments[1], "sign") == 0)
            sign(signer, key, chain);
        else if (strcmp(arguments[1], "path") == 0)
            path(store, signer, chain);
        else
            verify(store);
    }
    printf("%.9f\n", (double)(clock() - start) / CLOCKS_PER_SEC / rounds);
    return 0;
}
