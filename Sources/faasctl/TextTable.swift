/// Columns of text for people: headings, then rows, two blanks between columns.
struct TextTable {
    /// One column.
    struct Column {
        let title: String
        var isNumber = false

        static func text(_ title: String) -> Column { Column(title: title) }
        static func number(_ title: String) -> Column { Column(title: title, isNumber: true) }
    }

    let columns: [Column]
    private var rows: [[String]] = []

    init(_ columns: Column...) { self.columns = columns }

    /// Adds a row with one cell for each column.
    mutating func add(_ cells: String...) {
        precondition(cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
        rows.append(cells.map { Terminal.printable($0) })
    }

    /// The table with a line break after each row; `empty` and a line break when there is none.
    func rendered(empty: String) -> String {
        guard !rows.isEmpty else { return empty + "\n" }
        let lines = [columns.map(\.title)] + rows
        let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line(of: $0, widths: widths) + "\n" }.joined()
    }

    private func line(of cells: [String], widths: [Int]) -> String {
        let padded = columns.indices.map { index in
            let blanks = String(repeating: " ", count: widths[index] - cells[index].count)
            return columns[index].isNumber ? blanks + cells[index] : cells[index] + blanks
        }
        let line = padded.joined(separator: "  ")
        return String(line.reversed().drop { $0 == " " }.reversed())
    }
}

/// Names and values, one pair in a line, for people.
struct FactList {
    private var facts: [(name: String, value: String)] = []

    mutating func add(_ name: String, _ value: String?) {
        if let value { facts.append((name, Terminal.printable(value))) }
    }

    /// The list, values in one column.
    var rendered: String {
        let width = facts.map(\.name.count).max() ?? 0
        return facts.map { fact in
            fact.name + String(repeating: " ", count: width - fact.name.count + 2) + fact.value + "\n"
        }.joined()
    }
}
