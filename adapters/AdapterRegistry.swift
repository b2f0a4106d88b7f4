public import ProctorModel

/// Every adapter that proctor ships, in the order of its answers.
public enum AdapterRegistry {
  public static let all: [any Adapter] = [
    CargoAdapter(), PytestAdapter(), JestAdapter(), SwiftTestAdapter(),
  ]

  /// The manifests that proctor brings along, TOML by name.
  public static let manifests: [String: String] = [
    "bats": PackageResources.bats_toml, "ctest": PackageResources.ctest_toml,
    "go": PackageResources.go_toml, "maven": PackageResources.maven_toml,
    "mocha": PackageResources.mocha_toml, "prove": PackageResources.prove_toml,
    "rspec": PackageResources.rspec_toml, "unittest": PackageResources.unittest_toml,
  ].mapValues { String(decoding: $0, as: UTF8.self) }
}
