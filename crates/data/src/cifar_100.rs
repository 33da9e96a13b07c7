//! CIFAR-100: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", technical report, 2009. Its author
//! names no licence and asks to cite the report.

use crate::archive::{Archive, Member};
use crate::cifar::Cifar;
use crate::dataset::RemoteFile;

/// A record has one of 20 coarse labels, then one of 100 fine ones.
pub(crate) static CIFAR_100: Cifar = Cifar {
    name: "cifar-100",
    about: "CIFAR-100, colour pictures, 32x32, 100 classes (asks to be cited)",
    classes: 100,
    train_samples: 50_000,
    test_samples: 10_000,
    labels: 2,
    file: [RemoteFile {
        name: "cifar-100-binary.tar.gz",
        bytes: 168_513_733,
        sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        addresses: &["https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"],
    }],
    archive: Archive {
        folder: "cifar-100-binary",
        members: &[
            Member {
                name: "train.bin",
                bytes: 153_700_000,
                sha256: "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29",
            },
            Member {
                name: "test.bin",
                bytes: 30_740_000,
                sha256: "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a",
            },
        ],
    },
};
