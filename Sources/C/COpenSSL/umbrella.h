#pragma once
/* SHA1_Init and its kin: they keep their state in the caller's struct, where EVP's allocate for each message. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
