/// The command line of `sluice-bench`.
struct Options {
    /// `nil`: only the help is wanted.
    private(set) var benches: [Bench]? = []
    /// Seconds instead of minutes; a missed bar is shown and does not fail.
    private(set) var isSmoke = false
    private(set) var publishers: [Int]?
    private(set) var recordings: Int?
    private(set) var times: Int?
    private(set) var seconds: Int?
    private(set) var rounds: Int?
    /// This process is to be the ``FloorServer`` on that port, for another that measures.
    private(set) var floorPort: UInt16?

    static let help = """
        sluice-bench: measure the gateway against its bars, medians of several rounds, a peer beside.

          sluice-bench [BENCH…] [OPTION…]     without a BENCH: all of them, one after another

          chunks     RTMP chunk parser, in this process
          ingest     CPU of RTMP publishers, beside nginx-rtmp, and beside a floor: a server that reads what comes into
                     memory and does nothing else
          record     CPU and memory of recordings of live rooms; nothing may be lost
          start      from POST /v1/egress to a file whose first frame decodes
          idle       memory of a gateway with nothing to do

          --publishers 1,50,200   ingest: how many at once, one measurement each
          --recordings 100        record: how many beside none; then 200 at once
          --times 50              start: how many
          --seconds N             length of a measured window (ingest 20, record 20)
          --rounds N              windows, of which the median counts (chunks 7, ingest 3)
          --smoke                 a few seconds, to see that it runs: a missed bar does not fail
          --help

        Exit code 0 when each bar is met, 1 when one is missed or a bench cannot run, 2 for a wrong command line.
        The programs `sluice` and `sluice-worker` are taken from the folder of this one; build them with -c release.

        """

    init(_ words: [String]) throws(BenchError) {
        var words = words[...]
        var names: [Bench] = []
        while let word = words.popFirst() {
            switch word {
            case "--help", "-h":
                benches = nil
                return
            case "--smoke": isSmoke = true
            case "--publishers": publishers = try Self.numbers(words.popFirst(), word)
            case "--recordings": recordings = try Self.number(words.popFirst(), word)
            case "--times": times = try Self.number(words.popFirst(), word)
            case "--seconds": seconds = try Self.number(words.popFirst(), word)
            case "--rounds": rounds = try Self.number(words.popFirst(), word)
            case "--floor": floorPort = UInt16(clamping: try Self.number(words.popFirst(), word))
            default:
                guard let bench = Bench(rawValue: word) else { throw .usage("there is no bench or option `\(word)`") }
                names.append(bench)
            }
        }
        benches = names.isEmpty ? Bench.allCases : names
    }

    private static func number(_ word: String?, _ option: String) throws(BenchError) -> Int {
        guard let number = word.flatMap({ Int($0) }), (1...100_000).contains(number) else {
            throw .usage("\(option) needs a number of 1 or more")
        }
        return number
    }

    private static func numbers(_ word: String?, _ option: String) throws(BenchError) -> [Int] {
        var numbers: [Int] = []
        for part in (word ?? "").split(separator: ",") { numbers.append(try number(String(part), option)) }
        guard !numbers.isEmpty else { throw .usage("\(option) needs numbers with commas between them") }
        return numbers
    }
}
