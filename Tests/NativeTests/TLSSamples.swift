/// Certificates for tests, good until 2126; made with `openssl ecparam -name prime256v1 -genkey -noout`, `openssl req -x509
/// -days 36500 -subj /CN=sluice.test` and `openssl pkcs8`.
enum TLSSamples {
    /// Some time in 2027.
    static let now: Int64 = 1_800_000_000

    /// P-256.
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBhDCCASmgAwIBAgIUKOcwrY7XqPKEur7pv3Pl94PolfEwCgYIKoZIzj0EAwIw
        FjEUMBIGA1UEAwwLc2x1aWNlLnRlc3QwIBcNMjYxMTIxMTQ0NjEzWhgPMjEyNjEw
        MjgxNDQ2MTNaMBYxFDASBgNVBAMMC3NsdWljZS50ZXN0MFkwEwYHKoZIzj0CAQYI
        KoZIzj0DAQcDQgAEyZhG3lCew8x0sXmR7rRfENlBYZOYABVfEw9pQ5cptM2mqBc0
        od8jmeGRzWGRkQT+Q6pE94A6jgaYzyyepgI4ZaNTMFEwHQYDVR0OBBYEFJxJQy1J
        S+HuHTUqTyHz6nEfOrJFMB8GA1UdIwQYMBaAFJxJQy1JS+HuHTUqTyHz6nEfOrJF
        MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAKWHcB45mMunlLqH
        v29fvYGuAwMMntWAU6NQYVUY91ldAiEAkVvTUHQINv1AeMunt9EwddrPpL4F3qHt
        4rSqP9wWXbo=
        -----END CERTIFICATE-----
        """

    /// Its key, in the form of RFC 5915.
    static let key = """
        -----BEGIN EC PRIVATE KEY-----
        MHcCAQEEIJ4vHTiWNrfAmrkIWzDFxJRDhFPrlnfRXCFBik1I/pwVoAoGCCqGSM49
        AwEHoUQDQgAEyZhG3lCew8x0sXmR7rRfENlBYZOYABVfEw9pQ5cptM2mqBc0od8j
        meGRzWGRkQT+Q6pE94A6jgaYzyyepgI4ZQ==
        -----END EC PRIVATE KEY-----
        """

    /// The same under a password.
    static let encryptedKey = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgqSUf7FkdZOgICCAAw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEChyMghRF2y3P1lTjcYoh1sEgZBk
        gY4XRXgzP/LanP+RDsQdv+2NR0ZoCwejQ7lMYcjh7RuM8ZUCyEUWKWxvqRu2BL3L
        oF8yg0N2FXBc6YOsH3J8kAQAG7sbDwlcBFf1RZtuG9qbTwihzPHWNF4opXyCmR3Y
        vqvCTExtNfF4pgh7ImwyqWkIAXVh7OGGYTdYKJnUgeVuFGfssRjunsqEbl2seS4=
        -----END ENCRYPTED PRIVATE KEY-----
        """

    /// Of another certificate.
    static let otherKey = """
        -----BEGIN EC PRIVATE KEY-----
        MHcCAQEEIMEUfDMcjSBvJbE59pgq3j9KqOfjp8tirMIbxH86CbSSoAoGCCqGSM49
        AwEHoUQDQgAEVcodt5bfYmKkv1xYB8UqZYc/bKjNwWZHTKjNW9IBjZShsvI2Dy8g
        I4ZhaSYr1GXpGCUx6m9zHVApIBhSuB/Cyw==
        -----END EC PRIVATE KEY-----
        """

    /// RSA with 512 bits.
    static let weakCertificate = """
        -----BEGIN CERTIFICATE-----
        MIIBcTCCARugAwIBAgIUeavUTyYuSzkWx/4ZAEdij9xXAJAwDQYJKoZIhvcNAQEL
        BQAwDDEKMAgGA1UEAwwBdzAgFw0yNjExMjExNDQ2MTRaGA8yMTI2MTAyODE0NDYx
        NFowDDEKMAgGA1UEAwwBdzBcMA0GCSqGSIb3DQEBAQUAA0sAMEgCQQDE1Ba9HvGv
        ii5aoTBnH67tJ0yXpUe88LSasgkis3RqHeZRNsMBjSKnTOPjow9SIgQlPAwmUKxx
        7/GhpzjThLQfAgMBAAGjUzBRMB0GA1UdDgQWBBTXCDrkV+UMUfz53p6km3tGKtsV
        hTAfBgNVHSMEGDAWgBTXCDrkV+UMUfz53p6km3tGKtsVhTAPBgNVHRMBAf8EBTAD
        AQH/MA0GCSqGSIb3DQEBCwUAA0EAJXo2K4OXowyL+DOaEe/zHGU3pZhjJBaSUkiy
        qsJC1iIYSU+6oaUdTu4nNTkvFRxQoWzIpeCTipI/Dj9W0GuiAw==
        -----END CERTIFICATE-----
        """

    /// Its key.
    static let weakKey = """
        -----BEGIN PRIVATE KEY-----
        MIIBVgIBADANBgkqhkiG9w0BAQEFAASCAUAwggE8AgEAAkEAxNQWvR7xr4ouWqEw
        Zx+u7SdMl6VHvPC0mrIJIrN0ah3mUTbDAY0ip0zj46MPUiIEJTwMJlCsce/xoac4
        04S0HwIDAQABAkEAhjNFPbU3fERuzoRQiD9l+XRuGIcsnnpP6Zmx+OL6YM7HdnNi
        zKfqozKjfQLrdBLwenQs3z0Am/ilYNfK5dNLYQIhAO37K8AHO3wIVYmFD/K16HeL
        Km4pzWzpGd+a4weXRjLTAiEA07s/sIBLyc2Gc3cJIQQXbGVtCOsERNKY4CyvurmV
        sgUCIHiEe2p6/yfX/KFxDluGvdxUUL+LUen2vlCb2p9Mf5NbAiEAyA8RqtBOzCtq
        cwdylMOs7jsXv2lw6yaiVI9kq+ZXT5ECIQCGH6Oq5nFMTLDCxXoepn25lit9ZOOp
        ujvayirwN59G8w==
        -----END PRIVATE KEY-----
        """
}
