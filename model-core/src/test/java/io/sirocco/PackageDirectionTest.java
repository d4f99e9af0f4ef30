package io.sirocco;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Packages point one way, from the columnar boundary down to the checkpoint. */
class PackageDirectionTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.sirocco");

  @Test
  void packagesKnowOnlyThoseBeneathThem() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("checkpoint")
        .definedBy("io.sirocco.checkpoint")
        .layer("kernel")
        .definedBy("io.sirocco.kernel")
        .layer("kernel.onednn")
        .definedBy("io.sirocco.kernel.onednn")
        .layer("prepared")
        .definedBy("io.sirocco.prepared")
        .layer("model")
        .definedBy("io.sirocco.model")
        .layer("adapter")
        .definedBy("io.sirocco.adapter")
        .layer("tokenizer")
        .definedBy("io.sirocco.tokenizer")
        .layer("tokenizer.convert")
        .definedBy("io.sirocco.tokenizer.convert")
        .layer("template")
        .definedBy("io.sirocco.template")
        .layer("sampling")
        .definedBy("io.sirocco.sampling")
        .layer("engine")
        .definedBy("io.sirocco.engine")
        .layer("arrow")
        .definedBy("io.sirocco.arrow")
        .layer("bench")
        .definedBy("io.sirocco.bench")
        .layer("convert")
        .definedBy("io.sirocco.convert")
        .whereLayer("arrow")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("bench")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("convert")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("engine")
        .mayOnlyBeAccessedByLayers("arrow", "bench")
        .whereLayer("tokenizer")
        .mayOnlyBeAccessedByLayers("engine", "arrow", "bench")
        .whereLayer("tokenizer.convert")
        .mayOnlyBeAccessedByLayers("tokenizer", "template", "engine", "convert")
        .whereLayer("template")
        .mayOnlyBeAccessedByLayers("engine")
        .whereLayer("sampling")
        .mayOnlyBeAccessedByLayers("engine", "arrow", "bench")
        .whereLayer("adapter")
        .mayOnlyBeAccessedByLayers("engine")
        .whereLayer("model")
        .mayOnlyBeAccessedByLayers("adapter", "engine", "arrow", "bench", "convert")
        .whereLayer("prepared")
        .mayOnlyBeAccessedByLayers("kernel.onednn", "engine", "bench")
        .whereLayer("kernel.onednn")
        .mayOnlyBeAccessedByLayers("engine")
        .whereLayer("kernel")
        .mayOnlyBeAccessedByLayers(
            "kernel.onednn", "prepared", "model", "engine", "bench", "convert")
        .check(CLASSES);
  }

  @Test
  void noPackagesKnowEachOther() {
    slices().matching("io.sirocco.(**)").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void onlyTheOneDnnKernelsKnowNativeBindings() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.sirocco.kernel.onednn")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.bytedeco..", "com.sun.jna..")
        .check(CLASSES);
  }

  @Test
  void modelCoreKnowsNothingOfSparkOrHadoop() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.apache.spark..", "org.apache.hadoop..", "scala..")
        .check(CLASSES);
  }
}
