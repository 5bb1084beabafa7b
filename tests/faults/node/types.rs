//! The types that the node's metadata names, built by hand: a runtime's types have paths of their
//! own, and two runtimes of one node differ in the numbers and in the order of things.

use scale_info::form::PortableForm;
use scale_info::{
    Field, Path, PortableRegistry, PortableRegistryBuilder, Type, TypeDef, TypeDefArray,
    TypeDefCompact, TypeDefComposite, TypeDefPrimitive, TypeDefSequence, TypeDefTuple,
    TypeDefVariant, Variant,
};

/// A registry that grows; each type is known by its number.
#[derive(Default)]
pub(super) struct Types(PortableRegistryBuilder);

impl Types {
    pub(super) fn finish(&self) -> PortableRegistry {
        self.0.finish()
    }

    fn add(&mut self, path: &[&str], definition: impl Into<TypeDef<PortableForm>>) -> u32 {
        let path = Path::from_segments_unchecked(path.iter().map(|&part| part.to_owned()));
        self.0.register_type(Type::new(path, [], definition, Vec::new()))
    }

    pub(super) fn primitive(&mut self, primitive: TypeDefPrimitive) -> u32 {
        self.add(&[], primitive)
    }

    pub(super) fn u8(&mut self) -> u32 {
        self.primitive(TypeDefPrimitive::U8)
    }

    pub(super) fn u16(&mut self) -> u32 {
        self.primitive(TypeDefPrimitive::U16)
    }

    pub(super) fn u32(&mut self) -> u32 {
        self.primitive(TypeDefPrimitive::U32)
    }

    pub(super) fn u64(&mut self) -> u32 {
        self.primitive(TypeDefPrimitive::U64)
    }

    pub(super) fn u128(&mut self) -> u32 {
        self.primitive(TypeDefPrimitive::U128)
    }

    pub(super) fn bool(&mut self) -> u32 {
        self.primitive(TypeDefPrimitive::Bool)
    }

    pub(super) fn list(&mut self, of: u32) -> u32 {
        self.add(&[], TypeDefSequence::new(of.into()))
    }

    pub(super) fn bytes(&mut self, len: u32) -> u32 {
        let byte = self.u8();
        self.add(&[], TypeDefArray::new(len, byte.into()))
    }

    pub(super) fn compact(&mut self, of: u32) -> u32 {
        self.add(&[], TypeDefCompact::new(of.into()))
    }

    pub(super) fn tuple(&mut self, of: &[u32]) -> u32 {
        self.add(&[], TypeDefTuple::new_portable(of.iter().map(|&ty| ty.into())))
    }

    /// A struct with named fields.
    pub(super) fn record(&mut self, path: &[&str], fields: &[(&str, u32)]) -> u32 {
        self.add(path, TypeDefComposite::new(named(fields)))
    }

    /// A struct around one value.
    pub(super) fn wrapper(&mut self, path: &[&str], inner: u32) -> u32 {
        self.add(path, TypeDefComposite::new([unnamed(inner)]))
    }

    pub(super) fn variants(&mut self, path: &[&str], variants: Vec<Variant<PortableForm>>) -> u32 {
        self.add(path, TypeDefVariant::new(variants))
    }

    pub(super) fn option(&mut self, of: u32) -> u32 {
        self.variants(&["Option"], vec![case(0, "None", &[]), case(1, "Some", &[of])])
    }

    /// What an account is.
    pub(super) fn account(&mut self) -> u32 {
        let bytes = self.bytes(32);
        self.wrapper(&["sp_core", "crypto", "AccountId32"], bytes)
    }

    pub(super) fn hash(&mut self) -> u32 {
        let bytes = self.bytes(32);
        self.wrapper(&["primitive_types", "H256"], bytes)
    }
}

fn unnamed(ty: u32) -> Field<PortableForm> {
    Field::new(None, ty.into(), None, Vec::new())
}

fn named(fields: &[(&str, u32)]) -> Vec<Field<PortableForm>> {
    let field = |&(name, ty): &(&str, u32)| {
        Field::new(Some(name.to_owned()), u32::into(ty), None, Vec::new())
    };
    fields.iter().map(field).collect()
}

/// A variant whose fields have no names.
pub(super) fn case(index: u8, name: &str, fields: &[u32]) -> Variant<PortableForm> {
    let fields = fields.iter().map(|&ty| unnamed(ty)).collect();
    Variant::new(name.to_owned(), fields, index, Vec::new())
}

/// A variant whose fields have names, as each call has.
pub(super) fn named_case(index: u8, name: &str, fields: &[(&str, u32)]) -> Variant<PortableForm> {
    Variant::new(name.to_owned(), named(fields), index, Vec::new())
}
