//! Every act that is recorded: one table.

macro_rules! acts {
    ($($act:ident $name:literal $what:literal;)*) => {
        /// What was done. Its name never changes its meaning; the words are for people.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Act {
            $(#[doc = $what] $act,)*
        }

        impl Act {
            /// All of them, in the order of docs/audit.md.
            pub const ALL: &[Self] = &[$(Self::$act,)*];

            /// The name in the log: the kind of thing, and what became of it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$act => $name,)* }
            }

            /// What it means, for people.
            pub const fn what(self) -> &'static str {
                match self { $(Self::$act => $what,)* }
            }
        }
    };
}

acts! {
    // private keys
    KeyMade "key.made" "A private key was made and sealed.";
    KeyImported "key.imported" "A private key was taken in from outside and sealed.";
    KeySigned "key.signed" "A private key signed a mail.";
    KeyOpened "key.opened" "A private key opened a mail, or was asked to.";
    KeyServed "key.served" "A private key of the own CA signed a revocation list, an OCSP response or a request.";
    KeyExported "key.exported" "A private key was written into a file for its owner.";
    KeyResealed "key.resealed" "Private keys were sealed anew under another sealing key.";
    KeyDestroyed "key.destroyed" "A private key was removed.";
    // certificates
    CertificateIssued "certificate.issued" "The own CA signed a certificate.";
    CertificateRequested "certificate.requested" "A request was made for a CA outside.";
    CertificateImported "certificate.imported" "A certificate of a CA outside was taken in.";
    CertificateRevoked "certificate.revoked" "A certificate was revoked.";
    CertificateReplaced "certificate.replaced" "The replacement of certificates was ordered.";
    // the own CA
    AuthorityFounded "authority.founded" "The own CA was made.";
    AuthorityImported "authority.imported" "A CA with its key was taken in.";
    AuthorityRevoked "authority.revoked" "An issuing CA of our own was revoked, and everything that it issued.";
    // members
    MemberAdded "member.added" "Somebody became a member.";
    MemberChanged "member.changed" "What is known of a member was changed.";
    MemberLeft "member.left" "A member left.";
    // correspondents
    DirectoryAdded "directory.added" "A correspondent's certificate was taken into the directory.";
    DirectoryChanged "directory.changed" "An entry of the directory was changed, or a pending key was decided about.";
    DirectoryRemoved "directory.removed" "A correspondent's certificate was taken out.";
    CertificatesSent "certificates.sent" "A member's certificates were sent to a correspondent.";
    // issuers that are believed
    AnchorAdded "anchor.added" "An issuer was added to those that are believed here.";
    AnchorRemoved "anchor.removed" "An issuer that was added is no longer believed.";
    RootDistrusted "root.distrusted" "A root of the public list was taken out.";
    RootRestored "root.restored" "A root of the public list counts again.";
    // settings and the house itself
    SettingChanged "setting.changed" "A node started with a setting that it did not have before.";
    NodeStarted "node.started" "A node started.";
    JobOrdered "job.ordered" "Somebody ordered, repeated or gave up a job.";
    LogSigned "log.signed" "The log was signed, up to the entry before.";
    StoreMoved "store.moved" "The store was backed up, restored, copied or migrated.";
    // files for members
    FileMade "file.made" "A file with a member's key was made for a mail program.";
    PickupOffered "pickup.offered" "A file was offered for one download.";
    PickupTaken "pickup.taken" "An offered file was downloaded.";
    PickupRefused "pickup.refused" "Somebody asked for an offered file with a wrong code.";
    PickupWithdrawn "pickup.withdrawn" "An offered file is offered no more.";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_of_one_form() {
        let names: HashSet<&str> = Act::ALL.iter().map(|act| act.name()).collect();
        assert_eq!(names.len(), Act::ALL.len());
        for name in names {
            let parts: Vec<&str> = name.split('.').collect();
            assert_eq!(parts.len(), 2, "{name}");
            assert!(parts.iter().all(|part| part.bytes().all(|letter| letter.is_ascii_lowercase())), "{name}");
        }
    }
}
