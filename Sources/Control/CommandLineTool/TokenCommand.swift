import Config
import JWT
import Log
import MediaLoop
import Timing

/// `sluice token`.
enum TokenCommand {
    static let spec = CommandSpec(
        name: "token", summary: "Print an access token, or make a new API key.",
        details: [
            "Without --room and --grant: an operator's token for rooms, recordings and ingresses. With --room alone: a seat",
            "in that room. Grants:",
            "  " + flags.map(\.name).joined(separator: " ") + " canPublish canSubscribe",
            "It signs with SLUICE_API_KEY and SLUICE_API_SECRET, else with the first key of --config, else with the pair of",
            "`serve --dev`.",
        ],
        options: [
            OptionSpec("--room", "ROOM", "the room that it is for"),
            OptionSpec("--identity", "ID", "the participant's identity"),
            OptionSpec("--name", "NAME", "the participant's name"),
            OptionSpec("--grant", "LIST", "what it allows, with commas; may be repeated"),
            OptionSpec("--ttl", "TIME", "how long it is valid (6h)"),
            OptionSpec("--config", "FILE", "a gateway's configuration, for its key (SLUICE_CONFIG)"),
            OptionSpec("--new-key", nil, "print a new key and secret for `keys:` of a configuration instead"),
        ]
    ) { invocation throws(CommandError) in
        if invocation.arguments.has("--new-key") { return try printNewKey() }
        let configuration = try Credentials.configuration(invocation)
        let key = try Credentials.key(invocation, configuration) ?? DevelopmentKey.pair
        let token = try token(invocation.arguments, key: key, now: Clocks.wall())
        Output.line(try TokenSigner.sign(token, with: key))
        return .exit(0)
    }

    static func token(_ arguments: Arguments, key: APIKey, now: WallTime) throws(CommandError) -> AccessToken {
        let ttl = arguments.value("--ttl") ?? "6h"
        guard let lifetime = Quantity.duration(parsing: ttl), lifetime > .zero else {
            throw .misused("--ttl needs a time as 10m, 6h or 30d, and got `\(ttl)`", command: "token")
        }
        return AccessToken(
            keyID: key.id, identity: arguments.value("--identity") ?? "", name: arguments.value("--name") ?? "",
            grants: try grants(arguments), expiresAt: now + lifetime, notBefore: now)
    }

    private static func grants(_ arguments: Arguments) throws(CommandError) -> VideoGrants {
        let names = arguments.values("--grant").flatMap { $0.split(separator: ",").map(String.init) }
        let room = arguments.value("--room")
        if names.isEmpty, room == nil { return .operations }
        var grants = VideoGrants()
        grants.room = room ?? ""
        if names.isEmpty { grants.roomJoin = true }
        for name in names {
            if let flag = flags.first(where: { $0.name == name }) {
                grants[keyPath: flag.path] = true
            } else if name == "canPublish" {
                grants.canPublish = true
            } else if name == "canSubscribe" {
                grants.canSubscribe = true
            } else {
                let known = flags.map(\.name) + ["canPublish", "canSubscribe"]
                let near = Suggestion.name(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
                throw .misused("unknown grant `\(name)`\(near)", command: "token")
            }
        }
        return grants
    }

    private static func printNewKey() throws(CommandError) -> Tool.Outcome {
        let key = try TokenSigner.newKey()
        Output.line("keys:\n  \(key.id): \(key.secret.reveal())")
        Output.note("Put this into the configuration (`sluice serve --config FILE`). The secret is shown only here.")
        return .exit(0)
    }

    private typealias Flag = (name: String, path: any WritableKeyPath<VideoGrants, Bool> & Sendable)

    private static let flags: [Flag] = [
        ("roomJoin", \.roomJoin), ("roomCreate", \.roomCreate), ("roomList", \.roomList), ("roomAdmin", \.roomAdmin),
        ("roomRecord", \.roomRecord), ("ingressAdmin", \.ingressAdmin), ("hidden", \.hidden), ("recorder", \.recorder),
    ]
}
