import Testing

@testable import Postgres

@Suite("The text form of arrays")
struct ArrayTextTests {
    @Test(
        "What is not a one-dimensional array is refused",
        arguments: [
            "", "{", "}", "{a", "{a,}", "{,}", "{\"a}", "{a}b", "{{a}}", "{\"a\\", "[0:1]", "a", "{}x", "{a}{b}",
        ])
    func refused(text: String) {
        #expect(ArrayText.elements(of: text.utf8) == nil)
    }

    @Test("What was written is read back, for every short text of the characters that mean something")
    func everyShortText() {
        let alphabet: [Character] = ["{", "}", ",", "\"", "\\", " ", "N", "ä"]
        var texts: [String] = [""]
        for _ in 0..<3 { texts = [""] + texts.flatMap { text in alphabet.map { text + String($0) } } }
        for text in Set(texts) {
            let elements = [text, nil, "NULL", text]
            #expect(ArrayText.elements(of: ArrayText.literal(elements).utf8) == elements)
        }
    }

    @Test("The backoff stays between nothing and its ceiling, and is capped")
    func backoff() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<100 {
            var backoff = ListenerBackoff()
            for attempt in 0..<70 {
                let wait = backoff.next(using: &generator)
                let ceiling = min(Duration.seconds(15), .milliseconds(100) * (1 << min(attempt, 20)))
                #expect(wait >= .zero && wait <= ceiling)
            }
        }
    }
}
