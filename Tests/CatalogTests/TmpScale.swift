import Testing
@testable import Catalog
@Test func tmpScale() throws {
    let fixture = try CatalogFixture()
    let c = try fixture.open()
    try c.createUser("anna")
    let t = try ContinuousClock().measure { for i in 0..<10_000 { try c.deploy("anna", "a\(i)", specification()) } }
    let r = try ContinuousClock().measure { _ = try fixture.open() }
    print("SCALE deploys \(t) reopen \(r)")
}
