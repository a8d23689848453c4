import SyncCore
import Testing

@testable import SyncCommands

@Suite struct SettingsConstantTests {
    @Test("Constants are a section of texts, and each is a variable and a flag like the field that it stands for")
    func places() throws {
        let yaml = "source:\n  constants: {company_name: \"Acme\", country: null, job_title: '  '}\n"
        let environment = ["SOURCE_CONSTANTS_TIME_ZONE": "Berlin", "SOURCE_CONSTANTS_JOB_TITLE": ""]
        let fixture = SettingsFixture(
            ["--set", "source.constants.last_name=Doe, J."], environment: environment, yaml: yaml)
        let settings = try fixture.load().settings
        let constants: [ProfileField: String] = [.companyName: "Acme", .timeZone: "Berlin", .lastName: "Doe, J."]
        #expect(try settings.requiredSource().constants == constants)
        #expect(settings.valueRules == ValueRules(constants: constants))
        #expect(settings.valueRules.sentFields(mapped: [.firstName]).count == 4)
    }

    @Test("The choices for values are read from every place that settings have")
    func choices() throws {
        let yaml = "values: {invalid_time_zone: hold, country: iso2}\n"
        let settings = try SettingsFixture(environment: ["VALUES_DISPLAY_NAME": "full_name"], yaml: yaml).load()
            .settings
        #expect(settings.valueRules == ValueRules(invalidTimeZone: .hold, country: .iso2, displayName: .fullName))
    }

    static let wrong = [
        (
            "source.constants.time_zone=Mars", "source.constants.time_zone is no time zone that is known (flag --set).",
            "Write a name of the tz database such as America/New_York."
        ),
        (
            "source.constants.password=x", "The field password can't be sent (flag --set).",
            "Remove it: a users table holds hashes, and this program never sends one."
        ),
        (
            "values.country=iso3", "values.country is none of as_is, iso2 (flag --set).", "Write as_is or iso2."
        ),
        (
            "source.constants.xyzzy=x", "There is no setting source.constants.xyzzy (flag --set).",
            "Known in source.constants: first_name, last_name, display_name, job_title, company_name, time_zone, "
                + "country, region."
        ),
    ]

    @Test("What can't be sent is refused, with what to write instead", arguments: wrong)
    func problems(_ set: String, _ sentence: String, _ hint: String) throws {
        let problems = try SettingsFixture(["--set", set]).problems()
        #expect(problems == [.init(sentence, hint: hint)])
    }

    @Test("A constant alone is no mapping: which changes should be noticed?")
    func mappingIsNeeded() throws {
        let environment = ["SOURCE_FIELDS_FIRST_NAME": "", "SOURCE_CONSTANTS_COMPANY_NAME": "Acme"]
        #expect(try SettingsFixture(environment: environment).problems() == [SettingsRules.noField])
    }
}
