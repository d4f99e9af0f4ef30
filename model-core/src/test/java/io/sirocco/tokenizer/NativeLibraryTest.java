package io.sirocco.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {
  @TempDir private Path folder;

  @Test
  void onlyAFolderThatOthersCannotWriteIsPrivate() throws IOException {
    Path open = Files.createDirectory(folder.resolve("open"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThat(NativeLibrary.isPrivate(open)).isFalse();
    assertThat(NativeLibrary.isPrivate(folder)).isTrue();
    assertThat(NativeLibrary.isPrivate(folder.resolve("absent"))).isFalse();
    assertThat(NativeLibrary.isPrivate(Path.of("?"))).isFalse();
  }

  @Test
  void loadingKeepsTheLibraryOffTheNetwork() {
    NativeLibrary.load();
    assertThat(System.getProperty("ai.djl.offline")).isEqualTo("true");
  }
}
