public import ProctorModel

/// Every adapter that proctor ships, in the order of its answers.
public enum AdapterRegistry {
  public static let all: [any Adapter] = [
    CargoAdapter(), PytestAdapter(), JestAdapter(), SwiftTestAdapter(),
  ]
}
