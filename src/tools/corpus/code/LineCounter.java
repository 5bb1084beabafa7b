// Count lines per file extension below a folder.
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

public class LineCounter {
    static String extension(Path path) {
        String name = path.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return dot > 0 ? name.substring(dot + 1) : "(none)";
    }

    static long lines(Path path) {
        try (Stream<String> stream = Files.lines(path, StandardCharsets.ISO_8859_1)) {
            return stream.count();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    public static void main(String[] args) throws IOException {
        Path root = Path.of(args.length > 0 ? args[0] : ".");
        try (Stream<Path> paths = Files.walk(root)) {
            Map<String, Long> totals = paths
                .filter(Files::isRegularFile)
                .collect(Collectors.groupingBy(
                    LineCounter::extension,
                    TreeMap::new,
                    Collectors.summingLong(LineCounter::lines)));
            totals.forEach((ext, count) -> System.out.printf("%-10s %8d%n", ext, count));
        }
    }
}
