import HTTPTransfer
import Testing

@Suite("HTTP client")
struct HTTPClientTests {
    static let failures: [(url: String, error: TransferError)] = [
        ("http://127.0.0.1:1/v1/egress", .refused(url: "http://127.0.0.1:1/v1/egress")),
        ("ftp://127.0.0.1/", .invalidURL("ftp://127.0.0.1/")),
        ("http://name.invalid/", .unknownHost(url: "http://name.invalid/")),
    ]

    @Test("says why there is no response", arguments: failures)
    func failure(url: String, error: TransferError) throws {
        var client = try HTTPTransfer.HTTPClient()
        var caught: TransferError?
        do throws(TransferError) {
            _ = try client.send(HTTPRequest("GET", url))
        } catch {
            caught = error
        }
        #expect(caught == error)
        #expect(caught?.remedy?.isEmpty == false)
    }

    @Test("a refused connection tells how to start a gateway")
    func remedy() {
        let error = TransferError.refused(url: "http://127.0.0.1:7880")
        #expect(error.description == "no gateway at http://127.0.0.1:7880")
        #expect(error.remedy?.contains("sluice serve --dev") == true)
    }

    @Test("a header cannot be smuggled in by a value")
    func smuggling() throws {
        var client = try HTTPTransfer.HTTPClient()
        var isRefused = false
        do throws(TransferError) {
            _ = try client.send(HTTPRequest("GET", "http://127.0.0.1:1/", headers: [HTTPField("X", "a\r\nY: b")]))
        } catch {
            isRefused = error.description.contains("control character")
        }
        #expect(isRefused)
    }
}
