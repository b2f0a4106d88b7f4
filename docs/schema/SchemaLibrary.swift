public import FoundationEssentials

/// The published JSON Schemas of the answers, which are files of this folder.
public enum SchemaLibrary {
  /// - Parameter name: of its file, `NAME.schema.json`.
  public static func schema(_ name: String) -> Data? {
    switch name {
    case "audit": Data(PackageResources.audit_schema_json)
    case "benchmark": Data(PackageResources.benchmark_schema_json)
    case "check": Data(PackageResources.check_schema_json)
    case "execute_code": Data(PackageResources.execute_code_schema_json)
    case "execute_function": Data(PackageResources.execute_function_schema_json)
    case "gate": Data(PackageResources.gate_schema_json)
    case "get_run": Data(PackageResources.get_run_schema_json)
    case "list_tests": Data(PackageResources.list_tests_schema_json)
    case "run_all_tests": Data(PackageResources.run_all_tests_schema_json)
    case "run_test": Data(PackageResources.run_test_schema_json)
    case "status": Data(PackageResources.status_schema_json)
    case "validate_code": Data(PackageResources.validate_code_schema_json)
    default: nil
    }
  }
}
