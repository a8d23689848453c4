import SyncCommands

/// The program. What it does stands in `SyncCommands`.
@main
enum Main {
    static func main() async {
        await SubscriberSync.start()
    }
}
